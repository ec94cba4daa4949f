// Look at a report in Chromium; print what is seen as one JSON document.
// node page.js CHROMIUM PAGE [FOLDER]: with FOLDER, keep screenshots there.
const { chromium } = require("playwright-core");
const axe = require("axe-core");
const path = require("node:path");

const [, , executablePath, page, folder] = process.argv;
const SIZES = { wide: { width: 1200, height: 900 }, phone: { width: 360, height: 800 } };

async function open(browser, options) {
  const context = await browser.newContext({ viewport: SIZES.wide, ...options });
  const tab = await context.newPage();
  const problems = [];
  tab.on("pageerror", (error) => problems.push(String(error)));
  tab.on("console", (line) => line.type() === "error" && problems.push(line.text()));
  tab.on("request", (asked) => asked.url().startsWith("file:") || problems.push(`asked ${asked.url()}`));
  await tab.goto(`file://${path.resolve(page)}`);
  return { tab, problems };
}

const visible = (tab, selector) =>
  tab.$$eval(selector, (found) => found.filter((each) => each.offsetParent).length);

async function violations(browser, options) {
  const { tab } = await open(browser, { bypassCSP: true, ...options });
  for (const each of await tab.$$("details")) await each.evaluate((one) => (one.open = true));
  await tab.evaluate(axe.source);
  const found = await tab.evaluate(() => axe.run());
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`);
}

async function main() {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const seen = { by_field: {}, chosen: {} };
  const { tab, problems } = await open(browser, {});
  seen.word = await tab.textContent(".word");
  seen.title = await tab.title();
  const breaking = await tab.$("article.breaking");
  seen.breaking_ends = breaking && (await breaking.boundingBox()).y + (await breaking.boundingBox()).height;
  seen.cards = await visible(tab, "article[data-text]");
  if (seen.cards) {
    await tab.selectOption("select >> nth=0", { index: 1 }); // the worst
    seen.worst = await visible(tab, "article[data-text]");
    await tab.selectOption("select >> nth=0", "");
    for (const word of (process.env.FIELDS || "").split(",").filter(Boolean)) {
      await tab.fill("[name=text]", word);
      seen.by_field[word] = await visible(tab, "article[data-text]");
    }
    await tab.fill("[name=text]", "");
    seen.fields = await tab.$$eval("[name=field] option", (all) => all.map((one) => one.value));
    seen.table = await tab.$$eval("section table", (all) => all.slice(0, 1).map((one) => [
      ...["[scope=col]", "[scope=row]"].map((each) => getComputedStyle(one.querySelector(each)).position),
      ...[...one.querySelectorAll("tbody th")].map((each) => each.innerText.replace(/\n.*/, "")),
      one.querySelector("td.breaks")?.innerText.replace(/\s+/g, " "),
    ]));
    seen.ages = await tab.$$eval("time", (all) => all.map((one) => one.nextSibling.textContent));
    for (const name of ["cloud", "query"])
      for (const each of (await tab.$$eval(`[name=${name}] option`, (all) => all.map((one) => one.value))).reverse()) {
        await tab.selectOption(`[name=${name}]`, each); // all comes last
        seen.chosen[each] = await visible(tab, "article[data-text]");
      }
    await tab.click("article .anchor");
    seen.target = await tab.$eval("article:target h3", (one) => one.textContent.trim());
  }
  for (const each of (await tab.$$("summary")).slice(0, 100)) if (await each.isVisible()) await each.click();
  seen.open = await tab.$$eval("details[open]", (all) => all.length);
  const still = await open(browser, { javaScriptEnabled: false });
  seen.without_scripts = {
    cards: await still.tab.locator("article[data-text]:visible").count(),
    filters: await still.tab.locator("form:visible").count(),
  };
  const phone = await open(browser, { viewport: SIZES.phone });
  seen.phone_width = await phone.tab.evaluate(() => document.documentElement.scrollWidth);
  seen.problems = [...problems, ...still.problems, ...phone.problems];
  seen.violations = {};
  for (const colorScheme of ["light", "dark"])
    for (const [name, viewport] of Object.entries(SIZES)) {
      seen.violations[`${colorScheme} ${name}`] = await violations(browser, { colorScheme, viewport });
      if (!folder) continue;
      const picture = await open(browser, { colorScheme, viewport });
      await picture.tab.screenshot({ path: path.join(folder, `${name}-${colorScheme}.png`) });
    }
  await browser.close();
  console.log(JSON.stringify(seen));
}

main();
