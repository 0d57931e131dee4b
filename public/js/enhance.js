// Adds buttons to copy and to print, watches lists that grow, shows where a long menu stands, and closes open menus.
// Every page works without it.

const button = (host) => {
  const element = document.createElement("button");
  element.type = "button";
  element.className = host.matches(".actions") ? "button" : "copy-button";
  element.textContent = host.dataset.copy;
  element.setAttribute("aria-live", "polite");
  return element;
};

const textOf = (host) => {
  const place = document.getElementById(host.dataset.copyOf) ?? host;
  return [...place.querySelectorAll("code, output")].map((one) => one.textContent).join("\n");
};

const addCopy = (host) => {
  const element = button(host);
  element.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(textOf(host));
    } catch {
      return; // the text is there to be selected by hand
    }
    element.textContent = host.dataset.copied;
    setTimeout(() => (element.textContent = host.dataset.copy), 2000);
  });
  (host.querySelector(".with-button, figcaption") ?? host).append(element);
};

// A button that shows what the server sends as it comes. The page's own markup comes from the same server.
const addLive = (host) => {
  const place = document.getElementById(host.dataset.liveInto);
  const element = document.createElement("button");
  element.type = "button";
  element.className = "button";
  let source;
  const show = () => {
    element.textContent = source ? host.dataset.stop : host.dataset.start;
    element.setAttribute("aria-pressed", String(Boolean(source)));
  };
  element.addEventListener("click", () => {
    if (source) {
      source.close();
      source = undefined;
    } else {
      source = new EventSource(host.dataset.live);
      source.addEventListener("message", (event) => (place.innerHTML = event.data));
    }
    show();
  });
  show();
  host.append(element);
};

const addPrint = (host) => {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "button";
  element.textContent = host.dataset.print;
  element.addEventListener("click", () => window.print());
  host.replaceChildren(element);
};

// The menu beside a text scrolls by itself; the page does not move.
const showCurrent = (entry) => {
  const menu = entry.closest(".docs-side");
  menu.scrollTop = entry.offsetTop - menu.clientHeight / 2;
};

const closeOthers = (event) => {
  for (const menu of document.querySelectorAll("details[data-close][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
};

const closeAll = (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-close][open]")) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
};

if (navigator.clipboard) document.querySelectorAll("[data-copy]").forEach(addCopy);
if (window.EventSource) document.querySelectorAll("[data-live]").forEach(addLive);
document.querySelectorAll("[data-print]").forEach(addPrint);
document.querySelectorAll(".docs-side [aria-current]").forEach(showCurrent);
document.addEventListener("click", closeOthers);
document.addEventListener("keydown", closeAll);
