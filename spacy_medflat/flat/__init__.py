"""FLAT, the flat-lattice transformer (Li et al., ACL 2020), in plain torch; `architecture` makes a tok2vec of it."""
