"use strict";
const form = document.getElementById("filter");
if (form) {
  const cards = [...document.querySelectorAll("article[data-text]")];
  const choices = [...form.querySelectorAll("select")];
  const shown = document.getElementById("shown");
  const apply = () => {
    const sought = form.elements.text.value.toLowerCase();
    let count = 0;
    for (const card of cards) {
      const chosen = choices.every(
        ({ name, value }) => !value || card.dataset[name].split("\n").includes(value),
      );
      card.hidden = !chosen || !card.dataset.text.toLowerCase().includes(sought);
      count += !card.hidden;
    }
    shown.textContent = `${count} of ${cards.length} shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.classList.add("ready");
  apply();
}
for (const time of document.querySelectorAll("time")) {
  const days = Math.floor((Date.now() - Date.parse(time.dateTime)) / 86400000);
  if (days >= 0) time.after(days ? ` (${days} ${days === 1 ? "day" : "days"} ago)` : " (today)");
}
