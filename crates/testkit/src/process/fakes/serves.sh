#!/bin/sh
# Stands in for the broker: serve --data-dir DIR --listen ADDRESS:PORT, always on port 4711.
echo "tidelog 0.1"
echo "  kafka      ${5%:*}:4711, for any client"
exec sleep 60
