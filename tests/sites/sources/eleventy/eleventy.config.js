export default (config) => {
  for (const path of ["fonts", "style.css", "icon.svg", "menu.js", ".well-known", "LICENSE"]) {
    config.addPassthroughCopy(`pages/${path}`);
  }
  config.addPassthroughCopy("pages/_redirects");
  config.addPassthroughCopy("pages/_headers");
};
