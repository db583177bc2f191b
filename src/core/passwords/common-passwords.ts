/**
 * The most used words and phrases in passwords, folded (core/kernel/names). Short words matter too: a password that
 * consists of up to three of them is refused.
 */
export const commonPasswords: ReadonlySet<string> = new Set(
  `
password passwort passw0rd password1 motdepasse contrasena senha wachtwoord parola geheim secret secreto letmein welcome
willkommen welcome1 bienvenue admin administrator root user guest test tester testing login master hello hallo hello123
qwerty qwertz azerty qwerty123 qwertyuiop asdfgh asdfghjkl asdf zxcvbn zxcvbnm qazwsx iloveyou iloveyou1 iloveu loveyou
iloveme ilove love lovely loveme lover you me my the and mylove forever always princess angel angels babygirl baby
babyboy sunshine sunflower flower flowers rainbow butterfly monkey dragon tiger lion panther wolf eagle falcon horse
dolphin puppy kitty kitten doggy buddy football baseball basketball soccer hockey softball volleyball tennis golf
cricket rugby superman batman spiderman ironman wonderwoman superstar superuser starwars startrek pokemon pikachu
naruto matrix gandalf hogwarts harrypotter gryffindor zelda mario minecraft fortnite roblox nintendo playstation xbox
computer internet keyboard monitor laptop windows linux ubuntu debian apple iphone samsung android nokia google facebook
twitter instagram youtube linkedin netflix amazon microsoft oracle cisco yahoo gmail hotmail outlook
michael michelle jennifer jessica ashley amanda daniel david andrew anthony joshua matthew robert thomas william james
john joseph charles christopher richard george jordan hunter hannah samantha elizabeth nicole charlie maggie ginger
pepper cookie cookies chocolate cheese banana orange cherry peanut coffee summer winter spring autumn sommer winter
january february march april may june july august september october november december monday tuesday wednesday
thursday friday saturday sunday london paris berlin madrid newyork chicago boston dallas texas california florida
america usa england germany france canada australia india china japan mexico brazil liverpool arsenal chelsea
barcelona realmadrid juventus bayern yankees cowboys lakers steelers patriots mustang ferrari porsche mercedes bmw
harley corvette camaro honda toyota yamaha freedom whatever trustno1 trustnoone shadow hidden killer ninja pirate
warrior soldier knight wizard magic mystery phoenix thunder lightning storm diamond silver golden gold purple yellow
green blue black white pink red access access14 changeme changeit default letmein1 letmeinnow openup opensesame
please pleaseletmein donttellanyone nothing nobody something anything everything unknown private public security
secure safety system server service network database backup manager office company business money dollar rich
million lucky lucky7 lottery happy happiness smile friend friends friendship family mother father mommy daddy mama papa
sister brother grandma grandpa jesus christ jesuschrist jesusislord god godisgood godislove blessed blessing faith heaven
hope grace peace amen bible church allah bismillah inshallah mohammed muhammad krishna buddha namaste sairam
abc abcd abcde abcdef abc123 123abc a1b2c3 1q2w3e 1q2w3e4r 1q2w3e4r5t zaq12wsx qweasd qweasdzxc q1w2e3r4 1qaz2wsx
123 1234 12345 123456 1234567 12345678 123456789 1234567890 0123456789 987654321 9876543210 0987654321 112233 121212
123123 123321 111111 000000 654321 666666 696969 777777 888888 999999 555555 131313 159753 147258 147258369 741852963
123654 101010 102030 010203 2000 2010 2015 2018 2019 2020 2021 2022 2023 2024 2025 2026 2027 1990 1991 1992 1993 1994
1995 1996 1997 1998 1999 2001 2002 2003 2004 2005 007 69 420 1 12 21 22 23 99 00 01 11 13 77 88 ! !! !!! !@# !@#$ !@#$% . ?
temp temporary temppass pass pass1 pass123 passpass word words passphrase newpassword oldpassword mypassword
thepassword yourpassword nopassword adminadmin adminpassword rootpassword userpassword testpassword password123
password1234 password12345 password123456 qwertypassword passwordpassword passwordadmin thisisapassword
thisismypassword thisisasecret itsasecret notapassword isapassword is a this it its not
correcthorsebatterystaple correcthorse batterystaple maytheforcebewithyou tobeornottobe winteriscoming
thequickbrownfox lordoftherings iamyourfather hakunamatata supercalifragilistic supercalifragilisticexpialidocious
abracadabra onceuponatime onetwothree onetwothreefour twinkletwinklelittlestar happybirthday merrychristmas
christmas halloween letmeinplease iamtheboss iamthebest imthebest nevergiveup carpediem hasta lavista hastalavista
fuckyou fuckme fuckoff asshole bitch sexy sex hottie badboy badgirl playboy whatever1 blink182 metallica nirvana slipknot
greenday eminem beatles elvis queen rockyou rockstar guitar music dance dancer drummer junior senior student teacher
school college university class hacker hacking coder developer dev demo example sample staging prod production local
localhost raspberry toor ubnt cisco123 p@ssw0rd p@ssword pa55word passwd pwd pw kennwort adgangskode losenord salasana
heslo haslo jelszo sifre parol passord lozinka matkhau amour soleil bonjour chouchou doudou azertyuiop marseille
schatz schatzi liebe ichliebedich fussball hallo123 geheim123 passwort123 amor teamo tequiero hola mariposa estrella
cariño familia futbol america1 brasil flamengo palmeiras saudade ciao amore juventus1 forzamilan napoli bella
woaini wodemima aini1314 5201314 1314520 qwe123 asd123 zxc123 123qwe 123asd qwe asd zxc aaa aaaaaa abcabc xxx xxxxxx
`
    .trim()
    .split(/\s+/),
);
