"""Food tracing: EPCIS events on the ledger, who had what when, recall and trace-back."""
