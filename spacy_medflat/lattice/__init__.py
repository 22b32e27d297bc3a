"""Words laid over characters: the component, where its words come from, and the lexicon that users own."""
