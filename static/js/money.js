/* Money of a form in whole fen, as domain/income.py counts it. */
(function () {
  "use strict";
  /* Whole fen of a figure; null when it is empty, undefined when it is none. */
  function fen(text) {
    const plain = text.normalize("NFKC").replace(/[,\s元]/g, "");
    if (!plain) return null;
    const found = /^(-?)(\d*)(?:\.(\d{0,2})\d*)?$/.exec(plain);
    if (!found || !(found[2] || found[3])) return undefined;
    const amount = Number(found[2] || 0) * 100 + Number((found[3] || "").padEnd(2, "0"));
    return found[1] ? -amount : amount;
  }
  /* half a fen away from zero, as domain.income shows it */
  const perHead = (net, counted) => Math.sign(net) * Math.floor((Math.abs(net) * 2 + counted) / (counted * 2));
  const yuan = (amount) => {
    const [whole, part] = (Math.abs(amount) / 100).toFixed(2).split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
    return `${amount < 0 ? "−" : ""}${grouped}${part === "00" ? "" : "." + part}`;
  };
  /* The same without groups, for a control. */
  const plain = (amount) => (amount % 100 ? (amount / 100).toFixed(2) : String(amount / 100));

  window.changde = Object.assign(window.changde || {}, { money: { fen, perHead, yuan, plain } });
})();
