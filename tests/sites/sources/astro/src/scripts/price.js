export const price = (thing) => `One ${thing}: $60`;
