// The booking is made: forgets what book.js kept of it in this tab.
try { sessionStorage.removeItem('booking'); } catch (error) { /* off */ }
