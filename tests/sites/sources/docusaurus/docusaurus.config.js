export default {
  title: "Small handbook",
  url: "https://handbook.example.com",
  baseUrl: "/",
  favicon: "icon.svg",
  presets: [["classic", { blog: false, docs: { routeBasePath: "/", sidebarPath: undefined } }]],
};
