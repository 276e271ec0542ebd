import "./style.css";

const views = {
  "/": async () => "Small shop",
  "/prices/mattress": async () => (await import("./prices.js")).default("mattress"),
};

async function show(path) {
  const view = views[path] ?? (async () => "No such page");
  document.querySelector("main").innerHTML = `<h1>${await view()}</h1>`;
}

document.querySelector("nav").addEventListener("click", (event) => {
  event.preventDefault();
  history.pushState(null, "", event.target.href);
  show(location.pathname);
});
show(location.pathname);
navigator.serviceWorker.register("/sw.js");
