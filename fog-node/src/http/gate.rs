//! What a route asks of its caller, said where the route is declared.
//!
//! [`Routes::at`] is the only way to declare one, so there is none without a gate. Upon a request: while
//! nobody is registered, every gate is open; else nobody signed in is 401 `AUTH-01`, a locked session 401
//! `AUTH-03`, a person whose roles do not allow it 403 `AUTH-04`, which says whose do, and one whose last code
//! is too old for it 403 `AUTH-05`. Which role may what is in `people/permissions.rs`.

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use axum::routing::MethodRouter;
use fog_api::Capability;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::Shared;
use super::session::Asker;
use crate::Failure;
use crate::people::{Caller, locked, signed_out};

/// Who may pass.
#[derive(Clone, Copy)]
pub(super) enum Gate {
    /// Whoever has the node's token: what signing in needs.
    Anybody,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever is signed in and has just shown a code of the app.
    SignedInFresh,
    /// Whoever may do one of these.
    Any(&'static [Capability]),
    /// The same, if they have just shown a code of the app.
    AnyFresh(&'static [Capability]),
}

impl Gate {
    fn check(self, caller: &Caller) -> Result<(), Failure> {
        let (any, is_fresh): (&[Capability], bool) = match self {
            Self::Anybody => return Ok(()),
            Self::SignedIn => (&[], false),
            Self::SignedInFresh => (&[], true),
            Self::Any(any) => (any, false),
            Self::AnyFresh(any) => (any, true),
        };
        let signed = match caller {
            Caller::SetUp => return Ok(()),
            Caller::Nobody => return Err(signed_out()),
            Caller::Locked(..) => return Err(locked()),
            Caller::Person(signed) => signed,
        };
        signed.must(any)?;
        if is_fresh {
            signed.must_be_fresh()?;
        }
        Ok(())
    }

    /// Puts this gate before all methods that a path has so far.
    pub(super) fn before(self, methods: MethodRouter<Shared>) -> MethodRouter<Shared> {
        methods.route_layer(from_fn(
            move |asker: Asker, request: Request, next: Next| async move {
                match self.check(&asker.caller) {
                    Ok(()) => next.run(request).await,
                    Err(refused) => refused.into_response(),
                }
            },
        ))
    }
}

/// Routes with their gates, and their description.
pub(super) struct Routes(OpenApiRouter<Shared>);

impl Routes {
    pub(super) fn new() -> Self {
        Self(OpenApiRouter::new())
    }

    /// Routes below a description.
    pub(super) fn described(description: utoipa::openapi::OpenApi) -> Self {
        Self(OpenApiRouter::with_openapi(description))
    }

    /// One path's methods behind a gate.
    #[must_use]
    pub(super) fn at(self, gate: Gate, routes: UtoipaMethodRouter<Shared>) -> Self {
        let (schemas, paths, methods) = routes;
        Self(self.0.routes((schemas, paths, gate.before(methods))))
    }

    #[must_use]
    pub(super) fn merge(self, others: Self) -> Self {
        Self(self.0.merge(others.0))
    }

    /// The router and its description.
    pub(super) fn into_parts(self) -> (axum::Router<Shared>, utoipa::openapi::OpenApi) {
        self.0.split_for_parts()
    }
}
