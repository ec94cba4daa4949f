"""Recording during outages: real sockets on loopback, through the command and through pytest."""
