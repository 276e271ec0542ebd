export default function Price() { return <h1>One chair: $20</h1>; }
