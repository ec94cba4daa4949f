"use strict";
const form = document.getElementById("filter");
if (form) {
  const cards = [...document.querySelectorAll("article[data-severity]")];
  const shown = document.getElementById("shown");
  const has = (card, name, value) => !value || card.dataset[name].split("\n").includes(value);
  const apply = () => {
    const { severity, cloud, query, field } = form.elements;
    const sought = field.value.toLowerCase();
    let count = 0;
    for (const card of cards) {
      card.hidden = !(
        has(card, "severity", severity.value) &&
        has(card, "clouds", cloud.value) &&
        has(card, "queries", query.value) &&
        card.dataset.field.toLowerCase().includes(sought)
      );
      count += !card.hidden;
    }
    shown.textContent = `${count} of ${cards.length} shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.classList.add("ready");
  apply();
}
