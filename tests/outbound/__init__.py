"""The target guard and the client that obeys it: a corpus, real name servers, hostile receivers."""
