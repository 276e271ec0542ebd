export default function Price() { return <output>One desk: $30</output>; }
