// What the page tells of the session: that it is over, with the way back to this very page, and why something was refused. The sign-in helper, which the
// page loads by one line of application.py, sends the events.
(() => {
  const base = JSON.parse(document.getElementById("_dash-config").textContent).requests_pathname_prefix;
  const helper = import(base + "auth/edgeauth.js?install"); // the very module that is installed, so it comes from the browser's memory
  const bar = document.getElementById("session");

  const reasons = {
    group_required: "You are not in a group that may do this.",
    step_up_required: "This wants a recent sign-in.",
    cross_site: "This came from another site.",
  };

  function show(text, label, act) {
    const button = document.createElement("button");
    button.className = "btn btn-primary btn-sm";
    button.textContent = label;
    button.onclick = act;
    bar.replaceChildren(text, button);
    bar.hidden = false;
  }

  const hide = () => { bar.hidden = true; };
  const signIn = async options => (await helper).signIn(options); // comes back to the address that is shown then
  const confirm = () => signIn({prompt: "login"});

  addEventListener("edgeauth:ended", () => show("Your session is over. What you see may be out of date.", "Sign in again", () => signIn()));

  addEventListener("edgeauth:renewed", event => {
    const shown = document.querySelector("[data-person]")?.dataset.person; // shell.py
    if (shown && shown !== event.detail.sub) location.reload(); // somebody else is signed in by now: nothing of the first may stay
    else hide();
  });

  addEventListener("edgeauth:denied", ({detail: {reason}}) => {
    const text = (reasons[reason] ?? "This was refused.") + " Reason: " + reason + ".";
    if (reason === "step_up_required") show(text, "Confirm that it is you", confirm);
    else show(text, "Close", hide);
  });

  // The button in the notice of a callback that wants a recent sign-in: access.py.
  document.addEventListener("click", event => { if (event.target.closest(".confirm")) confirm(); });

  // pages/site.py: the address carries what is chosen, and is what "Copy link" copies.
  window.dash_clientside = Object.assign(window.dash_clientside ?? {}, {
    page: {
      address(name, from, to, show) {
        const address = new URL(location.href);
        address.search = new URLSearchParams({name, from, to, show});
        history.replaceState(history.state, "", address);
        return address.href;
      },
    },
  });
})();
