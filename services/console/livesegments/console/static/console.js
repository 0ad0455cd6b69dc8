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
  openMenu(menuId, buttonId) {
    const menu = document.getElementById(`c${menuId}`), button = document.getElementById(`c${buttonId}`);
    if (!menu || !button) return;
    menu.showPopover();
    const at = button.getBoundingClientRect(), size = menu.getBoundingClientRect();
    const below = at.bottom + 4 + size.height <= innerHeight;
    menu.style.left = `${Math.max(8, Math.min(at.right - size.width, innerWidth - size.width - 8))}px`;
    menu.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - size.height - 4)}px`;
    menu.querySelector("a, button")?.focus();
    menu.onkeydown = (event) => {
      const all = [...menu.querySelectorAll("a, button")], step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      all.at((all.indexOf(document.activeElement) + step) % all.length)?.focus();
    };
  },
  address(path) {
    history.replaceState(history.state, "", path);
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
