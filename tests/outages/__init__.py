"""Recording in bad weather: real sockets on loopback, through the command and through pytest."""
