"""The portal's pages: what people see and do in a browser. Each route parses, calls one operation, and renders."""
