/* The viewer of photos: arrow keys go to the neighbours, and the way back stays one step long. */
(function () {
  "use strict";
  const follow = { ArrowLeft: "[data-viewer-before]", ArrowRight: "[data-viewer-after]" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    const link = follow[event.key] && document.querySelector(follow[event.key]);
    if (link) { event.preventDefault(); location.replace(link.href); }
  });
})();
