//! Stories of the product as a whole, told through its binary: everything is real but the channel,
//! which is the sandbox Shopify or a file.

mod crash;
mod retail;
mod shop;
mod support;
