/* The page for no net (templates/web/offline.html): opens what was asked for as soon as the server answers, and counts
   what waits on this device. The entries are ciphertext; neither whose nor what they are is read. */
(function () {
  "use strict";
  const EVERY = 5000;
  const retry = document.querySelector("[data-retry]");
  const place = document.querySelector("[data-unsent]");

  async function probe() {
    if (document.visibilityState !== "visible") return;
    try {
      await fetch(retry.dataset.retry, { method: "HEAD", cache: "no-store", credentials: "omit" });
      location.reload();
    } catch { /* still no net */ }
  }
  window.addEventListener("online", probe);
  setInterval(probe, EVERY);
  retry.addEventListener("click", (event) => { event.preventDefault(); location.reload(); });

  try {
    const count = Object.keys(localStorage).filter((name) => name.startsWith("card-draft:")).length;
    if (count) place.textContent = place.dataset.unsent.replace("#", count);
  } catch { /* no storage: nothing to count */ }
})();
