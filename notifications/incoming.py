"""What customers answer to text messages: STOP, START and HELP, in English and Spanish."""

from django.conf import settings
from phonenumber_field.phonenumber import PhoneNumber, to_python

from dispatch.models import Job
from notifications.models import OptOut
from notifications.names import fill
from notifications.rendering import firm_phone
from notifications.segments import to_gsm
from notifications.suppressing import MAX_TEXTS

# The words that carriers expect to work (CTIA, Messaging Principles, 5.1.3), and Spanish ones.
STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "alto", "parar"})
START = frozenset({"start", "unstop", "yes", "si", "sí"})
HELP = frozenset({"help", "info", "ayuda"})
ANSWERS = {
    "en": {
        "stop": "{firm}: You will not get any text messages. Reply START to get them again.",
        "start": "{firm}: You get text messages about your jobs. Reply STOP to end.",
        "help": (
            "{firm}: Text messages about your job, up to {most} per job. Message and data rates "
            "may apply. Call {phone} for help. Reply STOP to end."
        ),
        "": "{firm}: We do not read replies to this number. Please call {phone}.",
    },
    "es": {
        "stop": "{firm}: Ya no recibirá mensajes de texto. Responda START para recibirlos.",
        "start": "{firm}: Recibirá mensajes sobre sus trabajos. Responda STOP para terminar.",
        "help": (
            "{firm}: Mensajes sobre su trabajo, hasta {most} por trabajo. Pueden aplicarse tarifas "
            "de mensajes y datos. Ayuda: {phone}. Responda STOP para terminar."
        ),
        "": "{firm}: Nadie lee las respuestas a este número. Por favor, llame al {phone}.",
    },
}


def receive_text(*, sender: str, text: str) -> str:
    """Do what a customer's text message asks for, and return the answer.

    A number that is none is not answered: "".
    """
    phone = to_python(sender) if sender.startswith("+") else None
    if not isinstance(phone, PhoneNumber) or not phone.is_valid():
        return ""
    asked = _asked(text)
    if asked == "stop":
        OptOut.objects.get_or_create(phone=phone)
    elif asked == "start":
        OptOut.objects.filter(phone=phone).delete()
    values = {"firm": settings.FIRM_NAME, "phone": firm_phone(), "most": str(MAX_TEXTS)}
    return to_gsm(fill(ANSWERS[_language_of(phone)][asked], values))


def _asked(text: str) -> str:
    word = text.strip().strip(".!\"'").lower()
    known = {"stop": STOP, "start": START, "help": HELP}
    return next((name for name, words in known.items() if word in words), "")


def _language_of(phone: PhoneNumber) -> str:
    jobs = Job.objects.filter(customer__phone=phone).order_by("-pk")
    return jobs.values_list("language", flat=True).first() or Job.Language.ENGLISH.value
