//! The manifest: what a plugin declares about itself, read before anything of it runs.
