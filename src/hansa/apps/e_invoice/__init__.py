"""Electronic invoices: issue, deliver, reimburse once, credit; checked by EN 16931 at the door."""
