export default (thing) => `One ${thing}: $40`;
