// Paying in: from the wallet to the provider's page and back, by a voucher and by a saved card; and the invoice about it.
import assert from "node:assert/strict";

import { journeys } from "./journeys.mjs";

const VOUCHERS = (process.env.GATEWAY_VOUCHERS ?? "").split(" ");

journeys({
  async "a payment, its invoice and a voucher"(me, { name, number, locale, script }) {
    const { payments, invoices, vouchers, wallet, console } = me.words;
    await me.signUp(`payer-${name}@example.com`);
    // Whom the invoice is to name, with a mistake first: a number without its kind.
    await me.go(console.nav.wallet);
    await me.follow(invoices.list.details);
    await me.type(invoices.details.legal_name, "Analytical Engines Ltd");
    await me.type(invoices.details.tax_number, "980780684");
    await me.press(invoices.details.submit);
    await me.isRefused(invoices.details.tax_kind);
    await me.look("console_wallet_billing_refused");
    await me.choose(invoices.details.tax_kind, invoices.details.gb_vat);
    await me.press(invoices.details.submit);
    await me.reads(invoices.flash.saved);

    await me.go(console.nav.wallet);
    await pay(me, () => me.activate(me.page.getByRole("button", { name: /^\$50\.00/ })));
    assert.match(me.page.url(), /\/console\/wallet\/orders\/ord_[0-9a-f]+\?returned=1$/);
    // The event and the reader arrive at the same time: whoever is first, the credit is there a moment later.
    await me.readsSoon({ en: "The payment has arrived, and its credit is in the wallet.", zh: "款项已收到，额度已存入钱包。" }[locale]);
    await me.go(console.nav.wallet);
    await me.reads("50,000,000.000");

    // Its invoice says who sells and who pays, on any screen and on paper.
    await me.follow(/^INV-/, { part: true });
    await me.reads(/INV-0000\d\d.*Tokens & Söhne GmbH.*Analytical Engines Ltd.*\$50\.00/, invoices.page.settled);
    await me.look("console_wallet_invoice");
    if (script) await paper(me);

    await me.go(console.nav.wallet);
    await me.type(vouchers.form.code, "0000-1111");
    await me.press(vouchers.form.submit);
    await me.isRefused(vouchers.form.code);
    await me.look("console_wallet_voucher_refused");
    await me.type(vouchers.form.code, VOUCHERS[number]);
    await me.press(vouchers.form.submit);
    await me.reads(vouchers.flash.redeemed, "5,000,000.000", wallet.lots.granted);

    // One that is not made, and one that cannot be.
    await me.type(payments.form.own, "12.50");
    await me.press(payments.form.submit);
    await me.page.waitForURL(/\/pay\/cs_test_/);
    await me.activate(me.page.locator("#cancel"));
    await me.reads({ en: "This payment has not been made. Nothing was charged.", zh: "这笔付款尚未完成，没有产生任何扣款。" }[locale]);
    await me.go(console.nav.wallet);
    await me.type(payments.form.own, "0");
    await me.press(payments.form.submit);
    await me.isRefused(payments.form.own);
  },

  async "a payment by itself"(me, { name }) {
    const { recharge, console } = me.words;
    await me.signUp(`recharger-${name}@example.com`);
    await me.go(console.nav.wallet);
    await me.follow(recharge.part.link);
    await me.reads(recharge.page.off, recharge.page.no_card);
    await pay(me, () => me.press(recharge.page.save_card));
    assert.match(me.page.url(), /\/console\/wallet\/recharge\?returned=1$/);
    await me.readsSoon("Visa •••• 4242");
    await me.type(recharge.form.threshold, "5");
    await me.type(recharge.form.amount, "20");
    await me.type(recharge.form.most, "100");
    await me.press(recharge.form.submit);
    assert.equal(await me.page.locator("#consent").getAttribute("aria-invalid"), "true", "nothing without consent");
    await me.look("console_wallet_recharge_refused");
    await me.tick(recharge.form.consent);
    await me.press(recharge.form.submit);
    await me.reads(recharge.page.on);
    await me.look("console_wallet_recharge_on");
    // A new organisation's balance is below the threshold, so the card is charged within seconds.
    await me.go(console.nav.wallet);
    await me.readsSoon("20,000,000.000");
    await me.follow(recharge.part.change);
    await me.press(recharge.page.forget_card);
    await me.reads(recharge.page.off, recharge.page.no_card);
  },
});

/** Our page between the form and the provider's goes on by itself: a form may not lead there in one go. */
async function pay(me, begin) {
  await begin();
  await me.page.waitForURL(/\/pay\/cs_test_/);
  await me.activate(me.page.locator('[name="pay"]'));
}

async function paper(me) {
  await me.page.emulateMedia({ media: "print", colorScheme: "light" });
  assert.ok(await me.page.locator(".console-side").first().isHidden(), "paper has no navigation");
  await me.page.pdf({ path: new URL(`../../../.cache/screenshots/${me.locale}_invoice.pdf`, import.meta.url).pathname, format: "A4" });
  await me.page.emulateMedia({ media: "screen" });
}
