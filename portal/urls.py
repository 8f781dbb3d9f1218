"""Addresses of the customer's pages. Each that names an order answers 404 to everybody but its owner."""

from django.urls import path

from portal import (
    accent,
    api_keys,
    callbacks,
    cancels,
    funds,
    new_order,
    orders,
    refills,
    services,
    sign_in,
    theme,
)

app_name = "portal"
urlpatterns = [
    path("", sign_in.home, name="home"),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("services/", services.services, name="services"),
    path("order/new/", new_order.new_order, name="new_order"),
    path("order/new/price/", new_order.price, name="price"),
    path("orders/", orders.orders, name="orders"),
    path("orders/live/", orders.live, name="orders_live"),
    path("orders/<int:order_id>/", orders.order, name="order"),
    path("orders/<int:order_id>/live/", orders.order_live, name="order_live"),
    path("orders/<int:order_id>/refill/", refills.refill, name="refill"),
    path("orders/<int:order_id>/cancel/", cancels.cancel, name="cancel"),
    path("funds/", funds.funds, name="funds"),
    path("account/api/", api_keys.api, name="api"),
    path("account/api/keys/", api_keys.create, name="api_key_create"),
    path("account/api/keys/<int:key_id>/rotate/", api_keys.rotate, name="api_key_rotate"),
    path("account/api/keys/<int:key_id>/revoke/", api_keys.revoke, name="api_key_revoke"),
    path("account/api/repeats/", api_keys.repeats, name="api_repeats"),
    path("account/callbacks/", callbacks.callbacks, name="callbacks"),
    path("account/callbacks/<int:address_id>/", callbacks.callback, name="callback"),
    path("account/callbacks/messages/<int:message_id>/again/", callbacks.callback_again, name="callback_again"),
    path("theme/", theme.change, name="theme"),
    path("accent.css", accent.stylesheet, name="accent"),
]
