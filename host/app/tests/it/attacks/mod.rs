//! What somebody tries who means harm: each a story of its own, and none of them comes in.

mod cross_site;
mod fixation;
mod floods;
mod guessing;
mod headers;
mod mass_assignment;
mod policy;
mod proxies;
