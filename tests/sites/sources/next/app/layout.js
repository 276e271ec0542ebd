import localFont from "next/font/local";
import Link from "next/link";

const boxes = localFont({ src: "./boxes.woff2" });

export const metadata = { title: "Small dashboard", icons: "/icon.svg" };

export default function Layout({ children }) {
  return (
    <html lang="en" className={boxes.className}>
      <body>
        <nav><Link href="/">Home</Link> <Link href="/about">About</Link></nav>
        {children}
      </body>
    </html>
  );
}
