/* What does not fit together in a member's row, noted at once and never in the way: the checks of households/domain/checks
   with their own figures and words (card-rules). The server looks again when the card is saved. */
(function () {
  "use strict";
  const card = window.changde && window.changde.cardForm;
  const node = document.getElementById("card-rules");
  if (!card || !node) return;
  const rules = JSON.parse(node.textContent);
  const { ageIn, read, readCertificate } = window.changde.idNumber;
  const DATE = /^\d{4}-\d{2}-\d{2}$/;
  const days = (birth) => Date.parse(`${birth}T00:00:00Z`) / 86400e3;

  /* members: {name, relation, sex, birth, number, reason, certificate, disabled}; [{id, member, at}], `at` the field */
  function find(members, year) {
    const found = [];
    const note = (id, member, at = "birth_date") => found.push({ id, member, at });
    const heads = members.filter((member) => member.relation === rules.head);
    const head = heads[0];
    const age = (member) => (DATE.test(member.birth) && year ? ageIn(year, member.birth) : null);
    const ages = members.map(age);
    const spouses = members.filter((member) => member.relation === rules.spouse);
    members.forEach((member, at) => {
      const years = head && DATE.test(head.birth) && DATE.test(member.birth) ? (days(member.birth) - days(head.birth)) / rules.daysAYear : null;
      const young = member.relation === rules.spouse && ages[at] !== null && ages[at] < (rules.marriage[member.sex] || 0);
      rules.gaps.forEach((gap) => {
        const least = gap.least === null ? -Infinity : gap.least, most = gap.most === null ? Infinity : gap.most;
        const within = years === null || !gap.relations.includes(member.relation) || (gap.open ? least < years && years < most : least <= years && years <= most);
        if (!within || (gap.id === "spouse-age" && young)) note(gap.id, at);
      });
      if (member.relation === rules.head && ages[at] !== null && ages[at] < rules.headFrom && ages.some((each) => each !== null && each >= rules.grown)) note("head-minor", at);
      if (ages[at] !== null && ages[at] > rules.oldest) note("age-limit", at);
      if (ages[at] !== null && ages[at] < 0) note("birth-future", at);
      if ((member.sex === "女" && rules.male.includes(member.relation)) || (member.sex === "男" && rules.female.includes(member.relation))) note("relation-sex", at, "relation");
      if (member.relation === rules.spouse && head && head.sex && member.sex === head.sex) note("spouse-sex", at, "relation");
      if (spouses.length > 1 && member === spouses[1]) note("two-spouses", at, "relation");
      if (!member.number && !member.reason && (ages[at] === null || ages[at] > rules.numberFrom)) note("id-missing", at, "no_id_reason");
      if (member.certificate) {
        const said = readCertificate(member.certificate);
        if (said.state !== "ok" || (member.number && member.number !== said.id)) note("disability-certificate", at, "disability_certificate");
      } else if (member.disabled) note("disability-certificate", at, "disability_certificate");
    });
    return found;
  }

  function member(row) {
    const own = (name) => card.value(name, row);
    const number = own("id_number"), certificate = own("disability_certificate");
    const masked = certificate.includes("*") || number.includes("*");
    return {
      name: own("name"), relation: own("relation"), sex: own("sex"), birth: own("birth_date"), reason: own("no_id_reason"),
      number: number.includes("*") ? number : read(number).number || number, certificate: masked ? "" : certificate,
      disabled: !masked && [...row.querySelectorAll("[data-attribute='health']")].some((box) => box.value === "残疾" && box.checked),
    };
  }

  function show() {
    const rows = card.rows().filter((row) => card.isFilled(row) && !card.isGone(row));
    const notes = find(rows.map(member), card.year());
    card.rows().forEach((row) => {
      const own = notes.filter((each) => rows[each.member] === row);
      const wanted = new Map(own.map((each) => [each.id, each]));
      row.querySelectorAll("[data-note]").forEach((old) => { if (!wanted.has(old.dataset.note)) old.remove(); else wanted.delete(old.dataset.note); });
      wanted.forEach(({ id, at }) => {
        const control = row.querySelector(`[data-attribute='${at}']`);
        const line = document.createElement("div");
        line.className = "field-note";
        line.dataset.note = id;
        line.setAttribute("role", "status");
        line.textContent = rules.texts[id];
        control.closest(".field").append(line);
      });
      const badge = row.querySelector("[data-member-notes]");
      badge.hidden = !own.length;
      badge.textContent = own.length ? `⚠ ${card.say(card.texts.notes, { count: own.length })}` : "";
    });
  }

  Object.assign(window.changde, { memberNotes: { find } });
  card.form.addEventListener("card:refresh", show);
  card.refresh();
})();
