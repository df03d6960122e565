"""From a finished comparison to one page that can be sent on: plain data first, then pictures, then a template."""
