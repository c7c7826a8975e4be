/* Names for what a screen reader lists, and keys for what scrolls: the theme leaves both out. */
function name() {
  document.querySelectorAll("nav.md-nav[aria-labelledby]").forEach((nav) => {
    const title = nav.querySelector(":scope > .md-nav__title");
    nav.removeAttribute("aria-labelledby");
    nav.setAttribute("aria-label", title ? title.textContent.trim() : "Pages");
  });
  document.querySelectorAll("nav.md-code__nav").forEach((nav, i) => nav.setAttribute("aria-label", `Code ${i + 1}`));
  document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code").forEach((box) => {
    if (box.tabIndex < 0) box.tabIndex = 0;
  });
}
let waiting = false;
new MutationObserver(() => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; name(); });
}).observe(document.documentElement, { childList: true, subtree: true });
document.addEventListener("DOMContentLoaded", name);
