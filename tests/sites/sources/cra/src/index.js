import { lazy, Suspense, useState } from "react";
import { createRoot } from "react-dom/client";
import "./style.css";

const Price = lazy(() => import("./Price"));

function App() {
  const [path, go] = useState(window.location.pathname);
  const open = (event) => {
    event.preventDefault();
    window.history.pushState(null, "", event.target.href);
    go(window.location.pathname);
  };
  return (
    <>
      <nav onClick={open}><a href="/">Home</a> <a href="/prices/chair">Prices</a></nav>
      <Suspense>
        {path === "/" && <h1>Small app</h1>}
        {path === "/prices/chair" && <Price />}
        {!["/", "/prices/chair"].includes(path) && <h1>No such page</h1>}
      </Suspense>
    </>
  );
}

createRoot(document.getElementById("root")).render(<App />);
