//! The contract in `wit/` as Rust, generated. Its names are re-exported by `lib.rs` as far as
//! authors need them; this module itself is for the macro [`connector!`](crate::connector).

wit_bindgen::generate!({
    path: "../wit",
    world: "connector",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "portolan_sdk::bindings",
    runtime_path: "portolan_sdk::wit_runtime",
    additional_derives: [PartialEq, Eq],
});
