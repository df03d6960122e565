"""What everything stands on; knows no loss and no optimizer."""
