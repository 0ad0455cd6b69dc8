// What the pages do in the browser alone: the theme, the menu, and the way to the sign-in page.
"use strict";
window.livesegments = {
  turnTheme() {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
      || (getComputedStyle(document.documentElement).colorScheme !== "light"
        && matchMedia("(prefers-color-scheme: dark)").matches);
    const chosen = dark ? "light" : "dark";
    document.cookie = `theme=${chosen}; path=/; max-age=31536000; samesite=strict`;
    document.documentElement.dataset.theme = chosen;
    Quasar.Dark.set(chosen === "dark");
    document.dispatchEvent(new Event("livesegments-theme"));
  },
  turnMenu(button) {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    document.getElementById("navigation").classList.toggle("open", open);
  },
  signIn(reason) {
    const next = encodeURIComponent(location.pathname + location.search);
    location.assign(`/sign-in?${reason ? `reason=${reason}&` : ""}next=${next}`);
  },
};
// While the connection is lost: is it the session that has ended?
document.addEventListener("DOMContentLoaded", () => {
  const lost = document.getElementById("popup");
  if (!lost) return;
  let asking = null;
  async function ask() {
    try {
      const answer = await fetch("/session", { redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect" || answer.status === 401) window.livesegments.signIn("expired");
    } catch (error) {
      // the console itself is away: the next look tells
    }
  }
  new MutationObserver(() => {
    const away = lost.ariaHidden === "false";
    if (away && asking === null) asking = setInterval(ask, 1000);
    if (!away && asking !== null) asking = void clearInterval(asking) ?? null;
  }).observe(lost, { attributes: true, attributeFilter: ["aria-hidden"] });
});
