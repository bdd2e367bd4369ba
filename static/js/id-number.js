/* Citizens' ID numbers as households/domain/id_number.py reads them: the same rule at once, the server has the last word. */
(function () {
  "use strict";
  const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const CHECKS = "10X98765432";

  function normalise(text) {
    return text.normalize("NFKC").toUpperCase().replace(/[\s\u200b]/g, "");
  }

  function checkOf(first17) {
    return CHECKS[[...first17].reduce((sum, digit, at) => sum + WEIGHTS[at] * Number(digit), 0) % 11];
  }

  function realDate(text) {
    const [year, month, day] = [text.slice(0, 4), text.slice(4, 6), text.slice(6, 8)].map(Number);
    const date = new Date(Date.UTC(year, month - 1, day));
    const real = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
    return real && year >= 1850 ? `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}` : "";
  }

  /* {state: "empty" | "length" | "wrong" | "ok", number, birth, sex, length} */
  function read(raw) {
    let number = normalise(raw);
    if (!number) return { state: "empty" };
    if (/^\d{15}$/.test(number)) {
      const century = ["996", "997", "998", "999"].includes(number.slice(12)) ? "18" : "19";
      const first17 = number.slice(0, 6) + century + number.slice(6);
      number = first17 + checkOf(first17);
    }
    if (number.length !== 18) return { state: "length", length: number.length };
    if (!/^\d{17}[\dX]$/.test(number)) return { state: "wrong" };
    const birth = realDate(number.slice(6, 14));
    if (!birth || checkOf(number.slice(0, 17)) !== number[17]) return { state: "wrong" };
    return { state: "ok", old: normalise(raw).length === 15, number, birth, sex: Number(number[16]) % 2 ? "男" : "女" };
  }

  /* Age on 30 September of the accounting year, the last day of it. */
  function ageIn(year, birth) {
    const [y, m, d] = birth.split("-").map(Number);
    return year - y - (m * 100 + d > 930 ? 1 : 0);
  }

  /* A disability certificate: ID number, category, grade; a replaced one ends in B and a count. {state, id, grade} */
  function readCertificate(raw) {
    const text = normalise(raw);
    if (!text) return { state: "empty" };
    const found = /^(\d{17}[\dX])([1-7])([1-4])(B\d+)?$/.exec(text);
    if (!found || read(found[1]).state !== "ok") return { state: "wrong" };
    return { state: "ok", id: found[1], grade: ["一级", "二级", "三级", "四级"][Number(found[3]) - 1] };
  }

  window.changde = Object.assign(window.changde || {}, { idNumber: { read, ageIn, readCertificate } });
})();
