/* The builder of an index version: the sum of the weights while they are typed, and searchable lists in what a step
   brings back. Every button works without it: the form posts and comes again. */
(function () {
  "use strict";
  const form = document.querySelector("[data-builder]");
  if (!form) return;

  /* 0.3, 1/3, 30 %, also full width; null: not a figure */
  function weight(text) {
    const plain = text.normalize("NFKC").replace(/[,\s]/g, "");
    const found = /^(\d+(?:\.\d+)?)(?:\/(\d+))?(%?)$/.exec(plain);
    if (!found || found[2] === "0") return null;
    return Number(found[1]) / Number(found[2] || 1) / (found[3] ? 100 : 1);
  }
  const short = (number) => String(Math.round(number * 1e6) / 1e6);

  function sum(controls) {
    const known = [...controls].map((control) => weight(control.value));
    return { total: known.reduce((all, one) => all + (one || 0), 0), open: known.includes(null) };
  }

  function show() {
    const { total, open } = sum(form.querySelectorAll("[data-weight]"));
    const rest = Math.abs(1 - total), good = rest < 1.000001e-6 && !open;
    form.querySelectorAll("[data-weight-sum]").forEach((place) => {
      const kind = good ? "textGood" : open ? "textOpen" : total < 1 ? "textShort" : "textOver";
      place.textContent = place.dataset[kind].replace("{sum}", short(total)).replace("{rest}", short(rest));
      place.classList.toggle("is-good", good);
      place.classList.toggle("is-bad", !good);
    });
    form.querySelectorAll(".index-group").forEach((group) => {
      group.querySelector("[data-dimension-sum]").textContent = String(Math.round(sum(group.querySelectorAll("[data-weight]")).total * 1e4) / 1e4);
    });
  }

  form.addEventListener("input", (event) => { if (event.target.matches("[data-weight]")) show(); });
  show(); /* what was typed before this script came */
  form.addEventListener("htmx:afterSwap", () => form.dispatchEvent(new CustomEvent("card:row", { detail: form })));
})();
