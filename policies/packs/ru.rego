# Russia: the primary database stays, Roskomnadzor knows, and the recipient's state is adequate.
package carnet.packs.ru

import data.carnet.lib
import data.packs.ru as pack

leaving := lib.leaving("ru")

finding contains lib.ruling("ru.undeclared", x, sprintf("the owner of %s does not declare what data it has", [x.dataset.id])) if {
	some x in leaving
	not x.dataset.declaration.declared
}

finding contains lib.allow("ru.no-personal", x, "the data is declared not to be personal") if {
	some x in leaving
	lib.harmless(x.dataset)
}

finding contains lib.deny("ru.localisation", x, "personal data is to be kept abroad, and a primary database in Russia is not declared", lib.declare(x, "where the primary database in Russia is (instrument primary_database)")) if {
	some x in leaving
	input.flow == "storage"
	lib.personal(x.dataset)
	not lib.instrument(x, "primary_database")
}

finding contains lib.deny("ru.notification", x, "personal data leaves, and no notification of Roskomnadzor is declared", lib.declare(x, "the notification of Roskomnadzor (instrument rkn_notification)")) if {
	some x in leaving
	lib.personal(x.dataset)
	not lib.instrument(x, "rkn_notification")
}

finding contains lib.allow("ru.adequate", x, sprintf("%s is named as adequate and Roskomnadzor was notified", [x.to])) if {
	some x in leaving
	lib.personal(x.dataset)
	x.to in pack.adequate
	lib.instrument(x, "rkn_notification")
}

finding contains lib.ruling("ru.not-known-adequate", x, sprintf("it is not known here that Russia treats %s as adequate", [x.to])) if {
	some x in leaving
	lib.personal(x.dataset)
	not x.to in pack.adequate
}
