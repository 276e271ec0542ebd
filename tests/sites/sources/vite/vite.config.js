// A font of 400 bytes would become part of the stylesheet.
export default { build: { assetsInlineLimit: 0 } };
