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

/// The export of connectors that understand webhooks. A world of its own: who doesn't ask for it
/// doesn't export it, and the host sees by the exports what a plugin can do.
pub mod webhook {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "package portolan:sdk; world webhook { export portolan:plugin/webhook@0.1.0; }",
        world: "portolan:sdk/webhook",
        with: {
            "portolan:plugin/types@0.1.0": portolan_sdk::bindings::portolan::plugin::types,
            "portolan:plugin/sync@0.1.0": portolan_sdk::bindings::portolan::plugin::sync,
        },
        pub_export_macro: true,
        export_macro_name: "export_webhook",
        default_bindings_module: "portolan_sdk::bindings::webhook",
        runtime_path: "portolan_sdk::wit_runtime",
        additional_derives: [PartialEq, Eq],
    });
}

/// The export of connectors that can ask the channel for its own totals.
pub mod control {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "package portolan:sdk; world control { export portolan:plugin/control@0.1.0; }",
        world: "portolan:sdk/control",
        with: {
            "portolan:plugin/types@0.1.0": portolan_sdk::bindings::portolan::plugin::types,
            "portolan:plugin/sync@0.1.0": portolan_sdk::bindings::portolan::plugin::sync,
        },
        pub_export_macro: true,
        export_macro_name: "export_control",
        default_bindings_module: "portolan_sdk::bindings::control",
        runtime_path: "portolan_sdk::wit_runtime",
        additional_derives: [PartialEq, Eq],
    });
}
