"""Sessions and the market they grow from: what is decided and said about them."""
