//! Credit cannot be spent twice, however many ask at once.

use bytespike_tests::database::{BOTH, Kind, number};
use bytespike_tests::gate::Gate;
use bytespike_tests::invariants;
use bytespike_tests::product::CLAUDE;
use bytespike_tests::scale;
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::{Stage, nano};
use bytespike_tests::upstream::{Reply, anthropic};

const CLIENTS: usize = 64;
const HOLDS: usize = 10;

#[tokio::test]
async fn s105_a_wallet_of_ten_holds_admits_ten_of_sixty_four_clients_and_refuses_the_rest() {
    for database in BOTH {
        let grant = u64::try_from(HOLDS).unwrap() * hold_credits(database).await;
        for round in 0..scale("64 clients on a wallet of 10 holds, rounds on each database", 1, 10) {
            println!("{database:?}, round {round}");
            exactly_ten_land(database, grant).await;
        }
    }
}

/// What one call of the test holds, in whole credits.
async fn hold_credits(database: Kind) -> u64 {
    let stage = Stage::with(|setup| setup.on(database)).await;
    let estimate =
        stage.post("/v1/estimate", &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200).json();
    let hold = nano(&estimate["held_credits"]);
    assert_eq!(hold % 1000, 0, "the model costs whole credits, so its hold is whole: {estimate}");
    u64::try_from(hold / 1000).unwrap()
}

async fn exactly_ten_land(database: Kind, grant: u64) {
    let stage = Stage::with(|setup| setup.on(database).trial_grant(grant)).await;
    let decided = Gate::default();
    stage.answer(Reply::json(200, &anthropic::text("Hello.")).after(&decided));

    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let call = stage.call(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false));
        clients.spawn(call.send());
    }
    // The provider answers only once everyone else was refused, so nobody is let in by what another gave back.
    let mut answers = Vec::new();
    while answers.len() < CLIENTS - HOLDS {
        answers.push(clients.join_next().await.unwrap().unwrap());
    }
    assert!(answers.iter().all(|answer| answer.status == 402), "{:?}", statuses(&answers));
    stage.upstream.arrived().at_least(HOLDS).await;
    decided.open();
    while let Some(answer) = clients.join_next().await {
        answers.push(answer.unwrap());
    }

    let statuses = statuses(&answers);
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), HOLDS, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 402).count(), CLIENTS - HOLDS, "{statuses:?}");
    let store = stage.product.database.connect().await;
    invariants::hold(&store).await;
    assert_eq!(number(&store, "select count(*) from reservation where state = 'settled'").await, 10);
    assert_eq!(number(&store, "select count(*) from reservation").await, 10);
    assert_eq!(stage.upstream.requests().len(), HOLDS, "a refused call reaches no provider");
    store.close().await;
}

fn statuses(answers: &[bytespike_tests::http::Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}
