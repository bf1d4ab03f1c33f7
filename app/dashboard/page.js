// The page is complete without this script. It counts on where the server stopped, tells times in the reader's zone, and has the sign-in helper renew
// the session early; when the session is over, here or in another tab, it says so.
const el = id => document.getElementById(id);

const zone = new Intl.DateTimeFormat("en-GB", {day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short"});
const tell = time => { time.textContent = zone.format(new Date(time.dateTime)); };

const words = ms => {
  const minutes = Math.floor(ms / 60000);
  if (ms <= 0) return "Over";
  if (minutes < 1) return `${Math.ceil(ms / 1000)} s`;
  if (minutes < 2) return "1 minute";
  if (minutes < 120) return `${minutes} minutes`;
  return `${Math.floor(minutes / 60)} hours`;
};

const count = () => {
  const ms = Date.parse(el("ends").dateTime) - Date.now();
  el("left").textContent = words(ms);
  el("verb").textContent = ms > 0 ? "Ends" : "Ended";
};

const until = seconds => {
  el("ends").dateTime = new Date(seconds * 1000).toISOString();
  tell(el("ends"));
  count();
};

document.querySelectorAll("time").forEach(tell);
count();
setInterval(count, 1000);

const {keep, session} = await import(document.documentElement.dataset.base + "/auth/edgeauth.js");
addEventListener("edgeauth:renewed", async () => {
  const current = await session();
  if (current) until(current.exp);
  el("over").hidden = true;
});
addEventListener("edgeauth:ended", () => {
  until(Date.now() / 1000);
  el("over").hidden = false;
});
await keep();
