// The page is complete without this script. It counts on where the server stopped, tells times in the reader's zone, and renews the session
// early with the sign-in helper, if there is one.
const el = id => document.getElementById(id);
let ends = Date.parse(el("ends").dateTime);

const words = ms => {
  const minutes = Math.floor(ms / 60000);
  if (ms <= 0) return "over";
  if (minutes < 1) return `${Math.ceil(ms / 1000)} seconds`;
  if (minutes < 2) return "1 minute";
  if (minutes < 120) return `${minutes} minutes`;
  return `${Math.floor(minutes / 60)} hours`;
};

const local = new Intl.DateTimeFormat("en-GB", {day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short"});
for (const t of document.querySelectorAll("time")) t.textContent = local.format(new Date(t.dateTime));

const show = () => {
  const ms = ends - Date.now();
  el("left").textContent = words(ms);
  el("verb").textContent = ms > 0 ? "Ends" : "Ended";
};
show();
setInterval(show, 1000);
