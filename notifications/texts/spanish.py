"""Spanish texts, in the form of address that firms in the US use: usted.

The text messages keep to characters of the GSM alphabet (notifications/segments.py).
"""

from notifications.kinds import Event
from notifications.texts.text import texts

CLOSING = """
¿Tiene preguntas? Llámenos al {phone}.

{firm}
"""

EMAILS = {
    Event.RECEIVED: (
        "Recibimos su solicitud {number}",
        """
{greeting}

Gracias. Recibimos su solicitud de {service}. Su número es {number}.

Ahora la revisamos y le confirmamos un precio y un horario de llegada. Hasta entonces no debe pagar
nada.

Siga su trabajo aquí:
{link}
""",
    ),
    Event.SCHEDULED: (
        "Su cita está confirmada: {window}",
        """
{greeting}

Su trabajo {number} está confirmado.

Servicio: {service}
Horario de llegada: {window}
Precio: {price}

Nuestro equipo llegará dentro de ese horario. Adjuntamos la cita para su calendario.

Siga su trabajo aquí:
{link}
""",
    ),
    Event.RESCHEDULED: (
        "Su nuevo horario de llegada: {window}",
        """
{greeting}

Cambió el horario de llegada de su trabajo {number}.

Nuevo horario: {window}

Adjuntamos la cita actualizada para su calendario. Si el horario no le conviene, llámenos y
buscaremos otro.

Siga su trabajo aquí:
{link}
""",
    ),
    Event.REMINDER: (
        "Recordatorio: llegamos el {window}",
        """
{greeting}

Le recordamos su trabajo {number}.

Servicio: {service}
Horario de llegada: {window}
Precio: {price}

Por favor, deje libre la entrada y tenga todo a la mano.

Siga su trabajo aquí:
{link}
""",
    ),
    Event.ON_THE_WAY: (
        "Su equipo va en camino",
        """
{greeting}

El equipo para su trabajo {number} va en camino. Por favor, deje libre la entrada.

Siga su trabajo aquí:
{link}
""",
    ),
    Event.RUNNING_LATE: (
        "Vamos con {late}",
        """
{greeting}

Vamos con {late} para su trabajo {number} (horario prometido: {window}). Le pedimos disculpas.

No lo hemos olvidado y llegaremos lo antes posible. Si ya no puede esperar, llámenos.

Siga su trabajo aquí:
{link}
""",
    ),
    Event.COMPLETED: (
        "Su recibo de {number}",
        """
{greeting}

Todo listo. Gracias por confiar en nosotros.

Trabajo: {number}
Servicio: {service}
Precio: {price}

Su recibo queda aquí:
{link}
""",
    ),
    Event.CANCELLED: (
        "Su trabajo {number} fue cancelado",
        """
{greeting}

Su trabajo {number} fue cancelado y no irá ningún equipo.

Si no es lo que usted quería, llámenos. Con gusto lo programamos de nuevo.
""",
    ),
    Event.LINK_REPLACED: (
        "Su nuevo enlace para {number}",
        """
{greeting}

Hay un nuevo enlace para su trabajo {number}. El anterior ya no funciona.

Siga su trabajo aquí:
{link}
""",
    ),
    Event.LINK_REQUESTED: (
        "Su enlace para {number}",
        """
{greeting}

Este es el enlace de su trabajo {number}. Quien lo tenga puede seguir el trabajo: compártalo con
cuidado.

Siga su trabajo aquí:
{link}
""",
    ),
    Event.PRICE_CHANGED: (
        "Cambió el precio de su trabajo {number}",
        """
{greeting}

El precio de su trabajo {number} es ahora {price}.

Si no lo esperaba, responda en la página de su trabajo o llámenos antes de que llegue el equipo:
{link}
""",
    ),
    Event.CUSTOMER_WROTE: (
        "Recibimos lo que nos envió sobre {number}",
        """
{greeting}

Gracias. Recibimos lo que nos envió sobre su trabajo {number}; nuestra oficina y el equipo lo ven.

Si hace falta algo de nuestra parte, le avisaremos.

Siga su trabajo aquí:
{link}
""",
    ),
}

SMS = {
    Event.RECEIVED: "{firm}: Recibimos su solicitud {number}. Detalles: {link} STOP para "
    "terminar, HELP para ayuda.",
    Event.SCHEDULED: "{firm}: Confirmado: {window}\nDetalles: {link}\nSTOP para terminar.",
    Event.RESCHEDULED: "{firm}: Su nuevo horario es {window}\nDetalles: {link}",
    Event.REMINDER: "{firm}: Recordatorio: llegamos {window}\nDetalles: {link}",
    Event.ON_THE_WAY: "{firm}: Su equipo va en camino. Detalles: {link}",
    Event.RUNNING_LATE: "{firm}: Vamos con {late}, disculpe. Llame al {phone} o vea {link}",
    Event.COMPLETED: "{firm}: Todo listo. Gracias. Su recibo: {link}",
    Event.CANCELLED: "{firm}: Su trabajo {number} fue cancelado. ¿Un error? Llame al {phone}.",
    Event.LINK_REPLACED: "{firm}: Su nuevo enlace (el anterior ya no funciona): {link}",
    Event.LINK_REQUESTED: "{firm}: El enlace de su trabajo {number}: {link}",
    Event.PRICE_CHANGED: "{firm}: El precio es ahora {price}. Llame al {phone} o vea {link}",
    Event.CUSTOMER_WROTE: "{firm}: Recibimos lo que nos envió sobre {number}. Su trabajo: {link}",
}

SPANISH = texts(EMAILS, SMS, closing=CLOSING)
