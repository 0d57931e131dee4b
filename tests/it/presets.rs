//! The org's preset says which models its keys may call, unless a key has a list of its own.

use bytespike_tests::person::Form;
use bytespike_tests::product::{CLAUDE, Setup};
use bytespike_tests::speaker::{SPEAKERS, Speaker};
use bytespike_tests::stage::Stage;
use bytespike_tests::upstream::{Upstream, scenes};
use serde_json::Value;

/// In the preset China only.
const CHINA_ONLY: &str = "scripted-china";

async fn stage() -> Stage {
    let upstream = Upstream::start(scenes::play).await;
    let model = format!(
        "[[models]]\nid = \"{CHINA_ONLY}\"\nprovider = \"scripted\"\nprotocols = [\"openai-chat\"]\npresets = [\"china\"]\n\
         usd_per_million_tokens = {{ input = \"1\", output = \"1\" }}\n"
    );
    let setup = Setup::scripted(&upstream.url()).settings(&model).channel(
        "openai-chat",
        &format!("{}/v1", upstream.url()),
        &[CHINA_ONLY],
    );
    Stage::on(setup, upstream).await
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().filter_map(|model| model["id"].as_str()).collect()
}

#[tokio::test]
async fn a_model_outside_the_preset_is_403_with_how_to_change_it_until_it_is_changed() {
    let mut stage = stage().await;
    for speaker in SPEAKERS {
        let answer = stage.ask(speaker, &speaker.ask(CHINA_ONLY, false)).await.expect_status(403);
        let error = speaker.error(&answer);
        assert_eq!(error.kind, "permission_error");
        for part in ["preset 'global'", "settings", "model list"] {
            assert!(error.message.contains(part), "{error:?} says {part}");
        }
        assert_eq!(answer.header("x-should-retry"), "false");
        assert!(answer.maybe("x-receipt-id").is_none(), "nothing was held");
        let _ = stage.ask(speaker, &speaker.ask(CLAUDE, false)).await.expect_status(200);
    }
    let body = Speaker::OpenAi.ask(CHINA_ONLY, false);
    assert_eq!(stage.post("/v1/estimate", &body).await.status, 403);
    assert_eq!(stage.get(&format!("/v1/models/{CHINA_ONLY}")).await.status, 403);
    for path in ["/v1/models?limit=1000", "/v1/models?include=all"] {
        let list = stage.get(path).await.json();
        assert!(!ids(&list).contains(&CHINA_ONLY) && ids(&list).contains(&CLAUDE), "{path}");
    }

    let settings = stage.person.open("/console/settings").await.expect_status(200).text();
    let form = Form::posting_to(&settings, "preset").expect("a form for the preset").set("preset", "china");
    let _ = stage.person.submit(&form).await.expect_status(200);
    let _ = stage.ask(Speaker::OpenAi, &body).await.expect_status(200);
    assert!(ids(&stage.get("/v1/models").await.json()).contains(&CHINA_ONLY));
}

#[tokio::test]
async fn a_keys_own_list_stands_in_for_the_preset() {
    let mut stage = stage().await;
    stage.key = stage.person.create_key("listed", &[("models", CHINA_ONLY)]).await;
    let _ = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(CHINA_ONLY, false)).await.expect_status(200);
    let refused = stage.ask(Speaker::OpenAi, &Speaker::OpenAi.ask(CLAUDE, false)).await.expect_status(403);
    let error = Speaker::OpenAi.error(&refused);
    assert!(error.message.contains("the key 'listed'"), "{error:?}");
    assert_eq!(ids(&stage.get("/v1/models").await.json()), [CHINA_ONLY]);
}

#[tokio::test]
async fn the_samples_name_a_model_that_the_org_may_call() {
    const GLOBAL_ONLY: &str = "scripted-global";
    let upstream = Upstream::start(scenes::play).await;
    let model = |id: &str, preset: &str| {
        format!(
            "[[models]]\nid = \"{id}\"\nprovider = \"scripted\"\nprotocols = [\"openai-chat\"]\npresets = [\"{preset}\"]\n\
             usd_per_million_tokens = {{ input = \"1\", output = \"1\" }}\n"
        )
    };
    let models = [model(GLOBAL_ONLY, "global"), model(CHINA_ONLY, "china")].concat();
    let carried = [GLOBAL_ONLY, CHINA_ONLY];
    let base_url = format!("{}/v1", upstream.url());
    let setup = Setup::default().settings(&models).channel("openai-chat", &base_url, &carried);
    let mut stage = Stage::on(setup, upstream).await;
    for (preset, sampled) in [("global", GLOBAL_ONLY), ("china", CHINA_ONLY)] {
        let settings = stage.person.open("/console/settings").await.text();
        if let Some(form) = Form::posting_to(&settings, "preset") {
            let _ = stage.person.submit(&form.set("preset", preset)).await.expect_status(200);
        }
        let overview = stage.person.open("/console").await.expect_status(200).text();
        for model in carried {
            assert_eq!(overview.contains(model), model == sampled, "{preset}: {model}");
        }
    }
    for (page, sampled) in [("/docs/quickstart", GLOBAL_ONLY), ("/zh/docs/quickstart", CHINA_ONLY)] {
        let page = stage.person.open(page).await.expect_status(200).text();
        assert!(page.contains(sampled), "{sampled}");
    }
}
