//! Goal: a physician of another hospital is what the patient's team says, for as long as it says so, and nobody else is;
//! whoever is not learns nothing of the patient. Method: two real nodes of two organisations.

use serde_json::{Value, json as value};

use crate::access::{is_clean, refused, staffed};
use crate::consortium::Hospitals;
use crate::desk::Desk;
use crate::disclosed::{Patient, SATURATION, shown};
use crate::program::wait_for;

const TREATING: &str = "permit(principal in Role::\"physician\", action, resource)\nwhen { \
     context.relations.contains(Relation::\"treating\") && resource.metric == \"59408-5\" };";
const HOUR_MILLIS: i64 = 3_600_000;

/// The handle of somebody of this desk's.
fn handle_of(desk: &Desk, admin: &str, login: &str) -> String {
    let all = desk.ask(&["user", "list", "--as", admin]);
    let mut all = all.as_array().unwrap().iter();
    let one = all.find(|one| one["login"] == login).unwrap();
    one["ledger"]["handle"].as_str().unwrap().to_owned()
}

#[test]
fn a_physician_elsewhere_is_what_the_team_says() {
    let folder = tempfile::tempdir().unwrap();
    let Hospitals {
        harbour,
        clinic,
        nodes: [host, guest],
        apis,
        holder,
    } = Hospitals::open(folder.path(), [131, 132], &["--demo=2".to_owned()]);
    let patient = Patient::of_ward(&apis[0]);
    let [here, there] = staffed(&apis, &[("treating", TREATING)], &[("pia", "physician")]);
    let (first, last) = patient.period();
    let (from, until) = (first.to_string(), (last + 1).to_string());
    let request = |who: &str, subject: &str, relation: &str| {
        let asked = [
            "access", "request", subject, "--as", who, "--holder", &holder,
        ];
        let part = ["--metric", SATURATION, "--from", &from, "--until", &until];
        there.run(&[&asked[..], &part, &["--relation", relation]].concat())
    };
    let hers = patient.handles["treatment"].clone();
    let nobodys = "ab".repeat(32);
    let unattested = |who: &str, subject: &str, relation: &str| {
        let (code, _, complaint) = request(who, subject, relation);
        assert!(code == 1 && complaint.contains("(ACC-05)"), "{complaint}");
        complaint
    };

    // Who is in nobody's team learns nothing: neither who is treated there nor by whom.
    let of_hers = unattested("petra", &hers, "treating");
    assert_eq!(of_hers, unattested("petra", &nobodys, "treating"));

    // Entered in the team, by her handle.
    let petra = handle_of(&there, "carl", "petra");
    let id = here.ask(&["patient", "list", "--as", "paul"])["patients"][0]["id"].take();
    let id = id.as_str().unwrap();
    refused(
        &here,
        &["patient", "team", "add", id, &nobodys, "--as", "paul"],
        "PAT-07",
    );
    let until_then = (last + 24 * HOUR_MILLIS).to_string();
    let add = [
        "patient",
        "team",
        "add",
        id,
        &petra,
        "--name",
        "Petra, Clinic",
    ];
    let view = wait_for("petra on Harbour's replica", || {
        let more = ["--until", &until_then, "--as", "paul"];
        let (code, view, _) = here.run(&[&add[..], &more].concat());
        (code == 0).then_some(view)
    });
    let team = |view: &Value| view["team"].as_array().unwrap().len();
    assert_eq!(team(&view), 1);
    assert_eq!(view["team"][0]["name"], "Petra, Clinic");

    // As that, and to that patient only; nobody else is.
    let (code, row, complaint) = request("petra", &hers, "treating");
    assert_eq!(code, 0, "{complaint}");
    assert_eq!(
        (&row["state"], &row["relations"]),
        (&value!("granted"), &value!(["treating"]))
    );
    let handle = row["handle"].as_str().unwrap();
    let read = ["access", "read", handle, "--as", "petra"];
    let expected = patient.readings(SATURATION, first, last + 1);
    assert_eq!(shown(&there.ask(&read)), expected);
    assert_eq!(unattested("pia", &hers, "treating"), of_hers);
    unattested("petra", &hers, "guardian");
    unattested("petra", &nobodys, "treating");

    // What she was granted as that ends with it.
    let end = ["patient", "team", "end", id, &petra, "--as", "paul"];
    assert_eq!(team(&here.ask(&end)), 0);
    wait_for("the end at the clinic", || {
        let row = there.ask(&["access", "show", handle, "--as", "petra"]);
        (row["state"] == "ended").then_some(())
    });
    refused(&there, &read, "ACC-06");
    assert_eq!(unattested("petra", &hers, "treating"), of_hers);
    refused(&here, &end, "PAT-07");
    for node in [host, guest] {
        assert!(node.terminate().success());
    }
    is_clean(&harbour.data);
    is_clean(&clinic.data);
}
