"use client";
import { useState } from "react";
import dynamic from "next/dynamic";

const Price = dynamic(() => import("./price"), { ssr: false });

export default function Home() {
  const [shown, show] = useState(false);
  return <main><h1>Small dashboard</h1><button onClick={() => show(true)}>Price</button>{shown && <Price />}</main>;
}
