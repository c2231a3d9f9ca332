"""A stand-in for Stripe: a real HTTP server, as strict as Stripe is, with a memory.

It has customers, prices, checkout and portal sessions, subscriptions, invoices, charges, disputes
and events, as far as one sells plans with them. What Stripe refuses it refuses: parameters that it
does not know, missing ones, a key of idempotency that is used again for something else. Prices
are made with it, and what people do at Stripe's own pages are its methods: `pay`, `cancel`. Each
makes events, which are signed and sent when the test says so, and may be dropped, delayed, doubled
and sent in any order on the way.

It stands where nobody can have the real one: the source of what it knows is
https://docs.stripe.com/api.
"""

from __future__ import annotations

from ipcraft.testing.services.stripe_stand_in.ledger import Ledger
from ipcraft.testing.services.stripe_stand_in.post import Mischief, Post, Signed
from ipcraft.testing.services.stripe_stand_in.server import Manner, StripeStandIn

__all__ = ["Ledger", "Manner", "Mischief", "Post", "Signed", "StripeStandIn"]
