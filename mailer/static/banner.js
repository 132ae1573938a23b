// A banner about changes of a policy, for any site:
//   <script src="https://…/policies/banner.js" data-policy="privacy-statement" referrerpolicy="no-referrer" defer></script>
// It stands first in the page, or in <div data-policy-banner="privacy-statement"></div>. `data-lang` names a language, else
// the page's own is taken. It keeps nothing, sets no cookie, says nothing of the page it stands on, and writes text only.
// A strict Content-Security-Policy needs our origin in script-src, style-src and connect-src.
(() => {
  "use strict";

  const script = document.currentScript;
  const slug = script.dataset.policy;
  if (!slug) return;
  const root = script.src.slice(0, script.src.lastIndexOf("/"));
  const lang = script.dataset.lang || document.documentElement.lang || "";

  const make = (tag, name, words = "") => {
    const made = document.createElement(tag);
    made.className = `policy-banner-${name}`;
    made.textContent = words;
    return made;
  };

  const link = (address, words) => {
    const made = make("a", "link", words);
    if (["https:", "http:"].includes(new URL(address, root).protocol)) made.href = address;
    return made;
  };

  const line = (notice, words) => {
    const made = make("div", "notice");
    const text = make("p", "text", notice.text);
    made.append(text);
    if (notice.summary) {
      const summary = make("p", "summary", notice.summary);
      summary.lang = notice.language;
      summary.dir = "auto";
      made.append(summary);
    }
    const ways = make("p", "ways");
    if (notice.changes_url) ways.append(link(notice.changes_url, words.see_changes), " ");
    ways.append(link(notice.url, words.read_new));
    made.append(ways);
    return made;
  };

  const build = (told) => {
    const region = make("section", "region");
    region.setAttribute("aria-label", told.words.region);
    region.lang = told.language;
    const lines = make("div", "notices");
    lines.append(...told.notices.map((notice) => line(notice, told.words)));
    const close = make("button", "close", "×");
    close.type = "button";
    close.setAttribute("aria-label", told.words.close);
    close.title = told.words.close;
    close.addEventListener("click", () => region.remove());
    region.addEventListener("keydown", (event) => {
      if (event.key === "Escape") region.remove();
    });
    region.append(lines, close);
    return region;
  };

  // Shown when its style is there, or will not come: never a flash of bare text.
  const show = (region) => {
    const place = [...document.querySelectorAll("[data-policy-banner]")].find((one) => one.dataset.policyBanner === slug);
    const put = () => (place ? place.append(region) : document.body.prepend(region));
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.referrerPolicy = "no-referrer";
    style.href = `${root}/banner.css`;
    style.addEventListener("load", put);
    style.addEventListener("error", put);
    document.head.append(style);
  };

  const address = `${root}/${encodeURIComponent(slug)}/banner.json?lang=${encodeURIComponent(lang)}`;
  fetch(address, { credentials: "omit", referrerPolicy: "no-referrer" })
    .then((answer) => (answer.ok ? answer.json() : { notices: [] }))
    .then((told) => told.notices.length && show(build(told)))
    .catch(() => {}); // a site stays as it is when we cannot be reached
})();
