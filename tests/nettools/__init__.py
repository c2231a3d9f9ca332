"""The network tools, against real name servers, WHOIS servers and ports on loopback."""
