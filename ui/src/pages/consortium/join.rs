//! Joining a consortium from here, in three steps: the invitation, what it says and what becomes of this
//! node's own chain, and how it goes. Nothing is done before the second step's button.

use fog_api::{InvitationView, JoinConsortium, JoinProgress, JoinStage, ReadInvitation};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::join_paper::Paper;
use super::join_say::Say;
use crate::components::{FailureNote, Icon, Note, PageHead, Step};
use crate::failure::Failure;
use crate::live::after;
use crate::route::Route;
use crate::testids;
use crate::transport;
use crate::words::joining as words;
use crate::words::state::State;

/// Between two questions how far it is, in milliseconds.
const ASK_MILLIS: u64 = 700;

/// What is known and typed so far.
#[derive(Clone, Copy)]
pub struct Draft {
    /// The invitation's text.
    pub text: RwSignal<String>,
    /// What it says, once the node has read it.
    pub view: RwSignal<Option<InvitationView>>,
    /// The organisation's name.
    pub organisation: RwSignal<String>,
    /// The node's name.
    pub node: RwSignal<String>,
    /// Where it is to listen.
    pub listen: RwSignal<String>,
    /// Where others reach it, if elsewhere.
    pub address: RwSignal<String>,
    /// Whether it is known what becomes of the own chain.
    pub leaves: RwSignal<bool>,
    /// How far it is, once it was asked for.
    pub progress: RwSignal<Option<JoinProgress>>,
    /// Why the node did not take the last question.
    pub failure: RwSignal<Option<Failure>>,
    /// Whether a question is out.
    pub busy: RwSignal<bool>,
}

impl Draft {
    fn new() -> Self {
        Self {
            text: RwSignal::new(String::new()),
            view: RwSignal::new(None),
            organisation: RwSignal::new(String::new()),
            node: RwSignal::new(String::new()),
            listen: RwSignal::new(String::new()),
            address: RwSignal::new(String::new()),
            leaves: RwSignal::new(false),
            progress: RwSignal::new(None),
            failure: RwSignal::new(None),
            busy: RwSignal::new(false),
        }
    }

    /// 1, 2 or 3.
    pub fn step(self) -> u8 {
        let stage = self
            .progress
            .with(|progress| progress.as_ref().map(|progress| progress.stage));
        match stage {
            None | Some(JoinStage::Idle | JoinStage::Failed) => {
                if self.view.with(Option::is_some) {
                    2
                } else {
                    1
                }
            }
            Some(_) => 3,
        }
    }

    /// Has the node read the invitation.
    pub fn read(self) {
        let request = ReadInvitation {
            invitation: self.text.get_untracked(),
        };
        self.busy.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let answer =
                transport::post::<InvitationView>("/api/consortium/join/invitation", &request)
                    .await;
            // The page may be gone by now.
            self.busy.try_set(false);
            match answer {
                Ok(view) => {
                    self.node.try_set(view.node.clone());
                    self.listen.try_set(view.listen.clone().unwrap_or_default());
                    self.leaves.try_set(false);
                    self.view.try_set(Some(view));
                }
                Err(why) => {
                    self.failure.try_set(Some(why));
                }
            }
        });
    }

    /// Takes the invitation.
    pub fn join(self) {
        let said = |signal: RwSignal<String>| {
            let words = signal.get_untracked().trim().to_owned();
            (!words.is_empty()).then_some(words)
        };
        let request = JoinConsortium {
            invitation: self.text.get_untracked(),
            organisation: said(self.organisation).unwrap_or_default(),
            node: said(self.node),
            listen: said(self.listen),
            address: said(self.address),
            leave_own_chain: self.leaves.get_untracked(),
        };
        self.busy.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let answer = transport::post::<JoinProgress>("/api/consortium/join", &request).await;
            self.busy.try_set(false);
            match answer {
                Ok(progress) => self.take(progress),
                Err(why) => {
                    self.failure.try_set(Some(why));
                }
            }
        });
    }

    /// Asks how far it is, again and again while it is under way.
    fn follow(self) {
        spawn_local(async move {
            match transport::get::<JoinProgress>("/api/consortium/join").await {
                Ok(progress) => self.take(progress),
                // Between its two lives the node may not answer.
                Err(_) if self.progress.try_with_untracked(Option::is_some) == Some(true) => {
                    after(ASK_MILLIS, move || self.follow());
                }
                Err(_) => {}
            }
        });
    }

    fn take(self, progress: JoinProgress) {
        let stage = progress.stage;
        let before = self
            .progress
            .try_with_untracked(|known| known.as_ref().map(|known| known.stage));
        let Some(before) = before else { return };
        if before.is_none() && !words::is_under_way(stage) && stage != JoinStage::Failed {
            // Nothing was asked, or it was done long ago.
            return;
        }
        self.progress.set(Some(progress));
        if words::is_under_way(stage) {
            after(ASK_MILLIS, move || self.follow());
        } else if words::is_through(stage) {
            // The node is another one by now, and this window holds what the one before said.
            location().set_hash(&Route::Consortium.href()).ok();
            location().reload().ok();
        }
    }
}

/// The page.
#[component]
pub fn JoinPage() -> impl IntoView {
    let draft = Draft::new();
    // Somebody may have asked for it before this page was opened.
    draft.follow();
    let step = Memo::new(move |_| draft.step());
    view! {
        <div class="page">
            <PageHead heading="Join a consortium" sub="Another hospital has invited this node. It makes its own keys here; they never leave it.">
                <a class="btn" href=Route::Consortium.href()>"Cancel"</a>
            </PageHead>
            <section class="card" aria-labelledby="h-join-steps">
                <h2 class="vh" id="h-join-steps">"Steps"</h2>
                <div class="card-body full">
                    <ol class="steps">
                        <Step number=1 at=step><Paper draft=draft step=step/></Step>
                        <Step number=2 at=step><Say draft=draft step=step/></Step>
                        <Step number=3 at=step><Goes draft=draft step=step/></Step>
                    </ol>
                </div>
            </section>
        </div>
    }
}

/// Step 3: how it goes.
#[component]
fn Goes(draft: Draft, step: Memo<u8>) -> impl IntoView {
    let stage = Memo::new(move |_| {
        draft
            .progress
            .with(|progress| progress.as_ref().map(|progress| progress.stage))
    });
    let doing = move || {
        draft
            .progress
            .with(|progress| progress.as_ref().map(words::doing).unwrap_or_default())
    };
    let told = move || {
        draft
            .progress
            .with(|progress| progress.as_ref().map(|progress| progress.words.clone()))
            .unwrap_or_default()
    };
    view! {
        <div>
            <div class="brief"><h3>"See it through"</h3></div>
            {move || if step.get() == 3 {
                view! {
                    <div class="note" role="status" data-testid=testids::JOIN_PROGRESS data-stage=move || stage.get().map(key)>
                        <Icon name="refresh"/>
                        <div><h3>{doing}</h3><p>{told}</p></div>
                    </div>
                }.into_any()
            } else {
                view! { <p class="soft small">"The node knocks, puts what it is handed on disk, and starts again by itself; this window follows. Then the others vote."</p> }.into_any()
            }}
        </div>
    }
}

fn key(stage: JoinStage) -> &'static str {
    match stage {
        JoinStage::Idle => "idle",
        JoinStage::Knocking => "knocking",
        JoinStage::Restarting => "restarting",
        JoinStage::Waiting => "waiting",
        JoinStage::CatchingUp => "catching-up",
        JoinStage::Joined => "joined",
        JoinStage::Failed => "failed",
    }
}

/// Why the last try did not work.
#[component]
pub fn Trouble(
    /// What is known so far.
    draft: Draft,
) -> impl IntoView {
    let failed = Memo::new(move |_| {
        draft.progress.with(|progress| {
            let failed = progress.as_ref();
            failed
                .filter(|progress| progress.stage == JoinStage::Failed)
                .and_then(|progress| progress.error.clone())
        })
    });
    view! {
        {move || failed.get().map(|error| view! { <Note state=State::Attention words=error testid=testids::JOIN_FAILED/> })}
        {move || draft.failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
    }
}
